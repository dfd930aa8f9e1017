"""What SQLAlchemy's ORM sends, in many ways. Every choice is seeded.

Usage: sqlalchemy_orm.py postgresql|mysql SOCKET_DIRECTORY_OR_FILE
"""

import random
import sys

from sqlalchemy import Column, ForeignKey, Integer, String, and_, case, create_engine, exists, func, insert, literal, not_, or_, select, text, tuple_, update
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased, declarative_base, joinedload, relationship, selectinload

kind, where = sys.argv[1:3]
url = "postgresql+psycopg2://postgres@/orm?host=" + where if kind == "postgresql" else "mysql+mysqldb://root@/orm?unix_socket=" + where
engine = create_engine(url)
Base = declarative_base()


class Project(Base):
    __tablename__ = "projects"
    id = Column(Integer, primary_key=True)
    tenant_id = Column(String(40))
    name = Column(String(40))
    tasks = relationship("Task", back_populates="project")


class Task(Base):
    __tablename__ = "tasks"
    id = Column(Integer, primary_key=True)
    tenant_id = Column(String(40))
    project_id = Column(ForeignKey("projects.id"))
    title = Column(String(40))
    project = relationship(Project, back_populates="tasks")


Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
rng = random.Random(11)
tenants = ["acme", "beta", "O'Neil", "back\\slash", "per%cent", 'quo"te']


def tenant():
    return rng.choice(tenants)


def condition(c, other, depth=0):
    choice = rng.randrange(12)
    if choice < 4:
        return c.tenant_id == tenant()
    if choice == 4:
        return c.tenant_id.in_(rng.sample(tenants, rng.randrange(0, 3)))
    if choice == 5 and depth < 3:
        return and_(condition(c, other, depth + 1), condition(c, other, depth + 1))
    if choice == 6 and depth < 3:
        return or_(condition(c, other, depth + 1), condition(c, other, depth + 1))
    if choice == 7 and depth < 3:
        return not_(condition(c, other, depth + 1))
    if choice == 8:
        return tuple_(c.tenant_id, c.id).in_([(tenant(), 1), (tenant(), 2)])
    if choice == 9:
        return c.tenant_id.in_(select(other.tenant_id).where(other.id == 1))
    if choice == 10:
        return exists().where(other.tenant_id == c.tenant_id, other.id > 3)
    return rng.choice([c.id == 5, c.tenant_id.is_(None), c.tenant_id.like("a%"), c.id.between(1, 2), func.lower(c.tenant_id) == "acme", c.tenant_id == func.concat("a", "b")])


def statement():
    alias = aliased(Project, name="p2")
    choice = rng.randrange(14)
    if choice == 0:
        return select(Task).join(Task.project).where(condition(Task, alias), condition(Project, alias))
    if choice == 1:
        return select(Task).outerjoin(Project, and_(Project.id == Task.project_id, condition(Project, alias))).where(condition(Task, alias))
    if choice == 2:
        return select(Task).options(joinedload(Task.project)).where(condition(Task, alias)).limit(10)
    if choice == 3:
        sub = select(Project.id, Project.tenant_id.label("t")).where(condition(Project, alias)).subquery()
        return select(Task).join(sub, and_(sub.c.t == Task.tenant_id, sub.c.id == Task.project_id))
    if choice == 4:
        cte = select(Project.id, Project.tenant_id).where(condition(Project, alias)).cte("mine")
        return select(Task).join(cte, cte.c.tenant_id == Task.tenant_id).where(condition(Task, alias))
    if choice == 5:
        return select(Task.id, Task.tenant_id).where(condition(Task, alias)).union_all(select(Project.id, Project.tenant_id).where(condition(Project, alias)))
    if choice == 6:
        return update(Project).where(condition(Project, alias)).values(name="it's", tenant_id=rng.choice([tenant(), Project.tenant_id])).execution_options(synchronize_session=False)
    if choice == 7:
        return insert(Project).from_select(["tenant_id", "name"], select(rng.choice([Task.tenant_id, literal(tenant())]), Task.title).where(condition(Task, alias)))
    if choice == 8:
        on = (postgresql if kind == "postgresql" else mysql).insert(Project).values([{"id": n, "tenant_id": tenant(), "name": "n"} for n in range(1, rng.randrange(2, 4))])
        if kind == "postgresql":
            return on.on_conflict_do_update(index_elements=["id"], set_={"name": on.excluded.name}, where=rng.choice([None, Project.tenant_id == on.excluded.tenant_id]))
        return on.on_duplicate_key_update(name=on.inserted.name)
    if choice == 9:
        return select(func.count()).select_from(Task).where(condition(Task, alias)).group_by(Task.tenant_id).having(func.count() > 1)
    if choice == 10:
        return select(Task, case((condition(Task, alias), 1), else_=0)).where(condition(Task, alias)).with_for_update()
    if choice == 11:
        return select(Task).where(Task.project.has(condition(Project, alias)))
    if choice == 12:
        return select(Project).where(Project.tasks.any(condition(Task, alias))).options(selectinload(Project.tasks))
    return select(Project).where(condition(Project, alias)).order_by(Project.id)


with Session(engine) as session:
    for name in tenants:
        session.add(Project(tenant_id=name, name="p", tasks=[Task(tenant_id=name, title="t")]))
    session.commit()
    for _ in range(900):
        try:
            with session.begin_nested():
                one = statement()
                result = session.execute(one)
                if one.is_select:
                    result.all()
        except SQLAlchemyError:
            session.rollback()  # a combination that the server refuses
    for project in session.query(Project).filter_by(tenant_id="acme").limit(3):
        project.name = "changed"
    session.flush()
    session.execute(text("DELETE FROM tasks WHERE tenant_id = :t"), {"t": "beta"})
    session.commit()
